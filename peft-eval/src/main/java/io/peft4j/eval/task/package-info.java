/**
 * What a model is asked, what a right answer is, and how answers are scored. Open
 * {@link io.peft4j.eval.task.EvaluationItem} first, then {@link io.peft4j.eval.task.AnswerScoring}.
 */
package io.peft4j.eval.task;
