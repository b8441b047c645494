/**
 * How each kind of rows is evaluated. Open {@link io.peft4j.eval.head.internal.TextEvaluation} first, then {@link
 * io.peft4j.eval.head.internal.PairedMeasures}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.head.internal;
