/** The base model and the adapters on it, under the names that clients call them by. */
package io.peft4j.serve.model.internal;
