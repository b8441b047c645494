/**
 * Mixes several data sets into one. Open {@link io.peft4j.data.mix.Mixture} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.mix;
