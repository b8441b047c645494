/**
 * Models that grade: {@link io.peft4j.eval.grader.GraderModels} gives them to {@link io.peft4j.data.grader.Graders}.
 */
@NullMarked
package io.peft4j.eval.grader;

import org.jspecify.annotations.NullMarked;
