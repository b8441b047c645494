/** Chat templates of checkpoints: {@link io.peft4j.models.tokenizer.JinjaChatTemplate}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.tokenizer;
