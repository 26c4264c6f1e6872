import { access } from './access.js';
import { blobs } from './blobs.js';
import { history } from './history.js';
import { images } from './images.js';
import { manifests } from './manifests.js';
import { organizations } from './organizations.js';
import { principals } from './principals.js';
import { platformHistory } from './platform-history.js';
import { projectDetails } from './project-details.js';
import type { Projection } from './projection.js';
import { projects } from './projects.js';
import { references } from './references.js';
import { referrers } from './referrers.js';
import { repositories } from './repositories.js';
import { repositoryAccess } from './repository-access.js';
import { repositoryDetails } from './repository-details.js';
import { tags } from './tags.js';
import { users } from './users.js';

/** Every inline projection that this release knows; their order is the order of application. */
export const registered: readonly Projection[] = [
  repositories,
  images,
  manifests,
  tags,
  references,
  referrers,
  blobs,
  history,
  repositoryDetails,
  repositoryAccess,
  organizations,
  projects,
  projectDetails,
  users,
  principals,
  access,
  platformHistory,
];
