/** Chat, completions and embeddings. Open {@link io.peft4j.serve.answer.internal.ChatRoutes} first. */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.answer.internal;
