/**
 * Servers that the command line starts. {@link io.peft4j.serve.support.ContainerServer} answers as the clouds'
 * endpoints ask for it, with an {@link io.peft4j.serve.support.EndpointContract}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.support;
