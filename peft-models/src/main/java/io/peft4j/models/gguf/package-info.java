/**
 * Models from GGUF files, seen as Hugging Face checkpoints: {@link io.peft4j.models.architecture.GgufForm} says
 * what a family's tensors and keys are called there, {@link io.peft4j.models.gguf.GgufCheckpoint} gives the
 * tensors their names and row order, {@link io.peft4j.models.gguf.GgufConfig} the configuration.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.models.gguf;
