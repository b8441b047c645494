/**
 * Models from GGUF files, seen as Hugging Face checkpoints: {@link io.peft4j.models.gguf.GgufTensorNames} gives tensors
 * their names, {@link io.peft4j.models.gguf.GgufCheckpoint} their row order, {@link io.peft4j.models.gguf.GgufConfig}
 * the configuration.
 */
package io.peft4j.models.gguf;
