/**
 * Tests of a difference between pairs. Open {@link io.peft4j.eval.statistics.internal.PairedTests} first.
 */
package io.peft4j.eval.statistics.internal;
