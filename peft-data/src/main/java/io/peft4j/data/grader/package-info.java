/**
 * Grades of answers: {@link io.peft4j.data.grader.Grader} is what a program gives or
 * {@link io.peft4j.data.grader.Graders} reads; open it first.
 */
@NullMarked
package io.peft4j.data.grader;

import org.jspecify.annotations.NullMarked;
