/**
 * The contracts of the clouds' containers: {@link io.peft4j.cloud.SageMakerTraining} runs a training in one.
 */
package io.peft4j.cloud;
