/**
 * Evaluation: how good a model is, and whether a tuned one is better than its base. It knows neither an adapter
 * method nor a model family. Open {@link io.peft4j.eval.FactAccuracy} first.
 */
package io.peft4j.eval;
