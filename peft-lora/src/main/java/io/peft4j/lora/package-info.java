/**
 * The low-rank adapter methods. They wrap layers found by path and know no model. Open
 * {@link io.peft4j.lora.LoraConfig} first: it is what an application sets, and says what LoRA computes. The other
 * methods are the other {@code ...Config}s, each with a method and a layer in {@link io.peft4j.lora}; how LoRA
 * begins is {@link io.peft4j.lora.init.LoraInit}. {@link io.peft4j.lora.LoraPlus} and {@link io.peft4j.lora.LoraFa}
 * change how LoRA is trained.
 *
 * <p>{@link io.peft4j.lora.WeightedCombination} makes one adapter out of several, {@link io.peft4j.lora.LoraConversion}
 * makes plain LoRA of an adapter of any method that can be merged.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.lora;
