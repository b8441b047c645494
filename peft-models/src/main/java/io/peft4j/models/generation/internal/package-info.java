/**
 * Text generation. Open {@link io.peft4j.models.generation.internal.TextGenerator} first: prompts in, answers out; then
 * {@link io.peft4j.models.generation.internal.AnswerBatch}, which runs the network with a key/value cache, and
 * {@link io.peft4j.models.generation.internal.TokenSampler}, which chooses tokens.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.generation.internal;
