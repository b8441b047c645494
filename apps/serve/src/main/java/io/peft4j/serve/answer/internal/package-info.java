/** Chat, completions and embeddings. Open {@link io.peft4j.serve.answer.internal.ChatRoutes} first. */
package io.peft4j.serve.answer.internal;
