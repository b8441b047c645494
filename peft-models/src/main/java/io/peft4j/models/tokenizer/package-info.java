/** Chat templates of checkpoints: {@link io.peft4j.models.tokenizer.JinjaChatTemplate}. */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.models.tokenizer;
