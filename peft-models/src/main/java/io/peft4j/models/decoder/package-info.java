/**
 * Decoder-only language models made of parts. Open {@link io.peft4j.models.decoder.DecoderPlan} first: what a
 * decoder is made of, by value; then {@link io.peft4j.models.decoder.LlamaFamily}, which most families state
 * their difference from, and {@link io.peft4j.models.decoder.DecoderLayer}, which computes.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.models.decoder;
