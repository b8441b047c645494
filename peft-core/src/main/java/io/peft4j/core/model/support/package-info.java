/** The tasks that adapters tell rows apart by: {@link io.peft4j.core.model.support.TaskIds}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.model.support;
