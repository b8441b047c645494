/**
 * The routes of files, jobs and models, one class each. Open {@link io.peft4j.serve.api.JobRoutes} first.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.api;
