/**
 * Tokenizers of checkpoints. Open {@link io.peft4j.models.tokenizer.internal.Tokenizers} first: it loads them from a
 * Hugging Face folder or rebuilds them from a GGUF file; both become a {@link
 * io.peft4j.models.tokenizer.internal.FastTokenizer}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.tokenizer.internal;
