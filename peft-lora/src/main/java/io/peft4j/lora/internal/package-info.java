/**
 * The methods that the configurations of {@link io.peft4j.lora} are read and made by, and their layers. Open
 * {@link io.peft4j.lora.internal.LoraMethod} and {@link io.peft4j.lora.internal.LoraLayer} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.lora.internal;
