/**
 * The low-rank adapter methods. They wrap layers found by path and know no model. Open
 * {@link io.peft4j.lora.LoraConfig} first: it is what an application sets, and says what LoRA computes.
 */
package io.peft4j.lora;
