/**
 * Mixes several data sets into one. Open {@link io.peft4j.data.mix.Mixture} first.
 */
package io.peft4j.data.mix;
