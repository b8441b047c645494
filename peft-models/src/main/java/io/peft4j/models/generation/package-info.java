/**
 * Answers for many at once. Open {@link io.peft4j.models.generation.AnswerService} first: requests for the base model
 * and any of its adapters share one batch, which they join and leave at every token.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.generation;
