/* The page of one record: the numbers of its chart stay shut until they are asked for, with a script alone. */
"use strict";
for (const details of document.querySelectorAll(".chart-data")) {
  details.open = false;
  details.dataset.settled = "";
}
