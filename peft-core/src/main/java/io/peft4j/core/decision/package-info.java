/**
 * Typed questions about a text and the probabilities of their options: values, and what is known of a model that
 * answers them. Open {@link io.peft4j.core.decision.DecisionQuestion} first;
 * {@link io.peft4j.core.task.DecisionModel} answers.
 */
@NullMarked
package io.peft4j.core.decision;

import org.jspecify.annotations.NullMarked;
