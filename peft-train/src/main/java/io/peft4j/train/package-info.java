/**
 * Training: the trainer, its optimizers, schedules, checkpoints and callbacks. It knows neither an adapter method
 * nor a model family.
 */
package io.peft4j.train;
