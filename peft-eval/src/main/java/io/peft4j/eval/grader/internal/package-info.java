/**
 * The kinds of graders that OpenAI's JSON objects name; {@link io.peft4j.data.grader.Graders} finds them.
 */
@NullMarked
package io.peft4j.eval.grader.internal;

import org.jspecify.annotations.NullMarked;
