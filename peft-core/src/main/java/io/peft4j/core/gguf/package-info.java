/**
 * Reading and writing GGUF, the one-file models of llama.cpp: metadata (hyperparameters, tokenizer, chat template), the
 * list of tensors, then their data. Open {@link io.peft4j.core.gguf.GgufFile} first.
 *
 * <p>Files are taken to be hostile: every count, length and offset is checked against what is left of the file before
 * it is used, and whatever is wrong with a file is a {@link io.peft4j.core.error.FileFormatException}.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.gguf;
