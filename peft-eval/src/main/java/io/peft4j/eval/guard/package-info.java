/**
 * A small set of general questions that shows what a model has forgotten. Open {@link io.peft4j.eval.guard.GuardSet}
 * first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.guard;
