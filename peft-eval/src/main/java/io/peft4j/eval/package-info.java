/**
 * Evaluation: how good a model is, and whether a tuned one is better than its base. It knows neither an adapter
 * method nor a model family. Open {@link io.peft4j.eval.Comparison} first, which asks a tuned model and its base,
 * then {@link io.peft4j.eval.Evaluation}, which finds the verdict from answers, wherever they come from.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval;
