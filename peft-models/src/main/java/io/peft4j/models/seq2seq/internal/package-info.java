/** Encoder-decoders. Open {@link io.peft4j.models.seq2seq.internal.T5Family} first. */
package io.peft4j.models.seq2seq.internal;
