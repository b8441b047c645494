/**
 * Answers over HTTP as the clouds' endpoints ask for them: {@link io.peft4j.cloud.serve.AnswerServer} with an {@link
 * io.peft4j.cloud.serve.EndpointContract}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.cloud.serve;
