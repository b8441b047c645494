/** The objectives on the class path: {@link io.peft4j.train.objective.support.ObjectiveTypes}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.objective.support;
