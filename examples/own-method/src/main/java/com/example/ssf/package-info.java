/** A method, an objective and a tracker of a project of its own: open {@link com.example.ssf.TryIt} first. */
package com.example.ssf;
