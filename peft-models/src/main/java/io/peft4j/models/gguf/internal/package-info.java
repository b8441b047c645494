/**
 * Models from GGUF files, seen as Hugging Face checkpoints: {@link io.peft4j.models.architecture.support.GgufForm} says
 * what a family's tensors and keys are called there, {@link io.peft4j.models.gguf.internal.GgufCheckpoint} gives the
 * tensors their names and row order, {@link io.peft4j.models.gguf.internal.GgufConfig} the configuration.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.gguf.internal;
