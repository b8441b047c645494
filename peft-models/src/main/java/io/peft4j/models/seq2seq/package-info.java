/** Encoder-decoders. Open {@link io.peft4j.models.seq2seq.T5Family} first. */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.models.seq2seq;
