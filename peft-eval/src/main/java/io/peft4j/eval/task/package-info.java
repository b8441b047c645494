/**
 * What a model is asked and what a right answer is. Open {@link io.peft4j.eval.task.EvaluationItem} first, then
 * {@link io.peft4j.eval.task.Answerer}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.task;
