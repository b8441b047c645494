package io.peft4j.train.objective;

/**
 * An answer that a model gave in its training, to be shown.
 *
 * @param prompt what was asked last
 * @param answer the answer
 * @param reward its reward; NaN where it has none
 */
public record SampledAnswer(String prompt, String answer, double reward) {
}
