/**
 * What a training minimizes. Open {@link io.peft4j.train.objective.Objective} first; the trainer knows nothing else of
 * it. {@link io.peft4j.train.objective.NextTokenObjective} is the one of language models, {@link
 * io.peft4j.train.objective.ClassificationObjective} and the others those of models with a head.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.objective;
