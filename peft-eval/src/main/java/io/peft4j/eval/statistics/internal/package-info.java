/**
 * Tests of a difference between pairs. Open {@link io.peft4j.eval.statistics.internal.PairedTests} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.statistics.internal;
