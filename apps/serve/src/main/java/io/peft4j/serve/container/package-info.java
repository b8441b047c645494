/**
 * Answers over HTTP as the clouds' endpoints ask for them: {@link io.peft4j.serve.container.ContainerServer} with an
 * {@link io.peft4j.serve.container.EndpointContract}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.container;
