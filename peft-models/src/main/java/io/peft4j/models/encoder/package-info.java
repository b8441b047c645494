/**
 * Encoders: BERT and its relatives. Open {@link io.peft4j.models.encoder.EncoderFamily} first, which a family
 * extends to state what its encoder is made of ({@link io.peft4j.models.encoder.EncoderPlan}).
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.models.encoder;
