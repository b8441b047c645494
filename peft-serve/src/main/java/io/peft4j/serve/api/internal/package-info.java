/** The routes of files, jobs and models, one class each. */
package io.peft4j.serve.api.internal;
