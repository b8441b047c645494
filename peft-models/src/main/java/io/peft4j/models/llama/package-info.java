/**
 * The Llama architecture and its relatives (SmolLM2 is one). Open {@link io.peft4j.models.llama.LlamaNetwork} first,
 * then {@link io.peft4j.models.llama.LlamaDecoderLayer}; {@link io.peft4j.models.llama.LlamaConfig} holds the sizes.
 */
package io.peft4j.models.llama;
