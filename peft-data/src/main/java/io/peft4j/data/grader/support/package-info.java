/** What grading shares with other calls of users' functions: {@link io.peft4j.data.grader.support.LimitedCalls}. */
@NullMarked
package io.peft4j.data.grader.support;

import org.jspecify.annotations.NullMarked;
