/**
 * The contracts of the clouds' containers: {@link io.peft4j.cloud.support.SageMakerTraining} and {@link
 * io.peft4j.cloud.support.VertexTraining} run a training in one, and {@link io.peft4j.cloud.support.RemoteFolder} is a
 * folder in a cloud's storage.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.cloud.support;
