"""From a project to a deployed stack: template, package, deployment."""
