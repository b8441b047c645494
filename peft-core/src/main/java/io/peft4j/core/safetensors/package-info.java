/**
 * Safetensors, the weight files of Hugging Face: {@link io.peft4j.core.safetensors.TensorData} is a tensor to be
 * written, of a {@link io.peft4j.core.safetensors.DType}, and {@link io.peft4j.core.safetensors.SafetensorsWriter}
 * writes it.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.safetensors;
