/**
 * The base model and the adapters on it, under the names that clients call them by. Open
 * {@link io.peft4j.serve.model.ServedModels} first.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.model;
