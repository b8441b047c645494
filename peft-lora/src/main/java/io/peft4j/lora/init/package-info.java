/**
 * How LoRA begins. Open {@link io.peft4j.lora.init.LoraInit} first: it lists the ways, each a class of its own with its
 * name in the file, its options, and what it computes.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.lora.init;
