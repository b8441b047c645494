/**
 * The contracts of the clouds' containers: {@link io.peft4j.cloud.SageMakerTraining} and {@link
 * io.peft4j.cloud.VertexTraining} run a training in one.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.cloud;
